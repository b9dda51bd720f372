/** One picture of the job service for all who see it and may act on it alike, read anew while they watch. */
import { may, type Scope, sightKey } from "../../core/scope.ts";
import { PollTopic } from "../../web/live_poll.ts";
import type { TopicRequest } from "../../web/live_topic.ts";
import type { Shell } from "../../web/shell.ts";
import type { LiveMessage } from "../../web/sse.ts";
import { type ServiceFilter, serviceQuery } from "./filter.ts";
import { readService } from "./read.ts";

const EVERY_MS = 2_000;

export const PARTS = ["cards", "operations", "table"] as const;

export function serviceTopic(
  shell: Shell,
  filter: ServiceFilter,
  scope: Scope,
): TopicRequest<PollTopic> {
  const print = (items: ReadonlyMap<string, object | null>): LiveMessage[] => {
    const parts = [...items].flatMap(([key, model]) =>
      model ? [{ key, html: shell.renderer.fragment(`service/_${key}`, model) }] : [],
    );
    const data = parts.map(
      ({ key, html }) =>
        `<hx-partial hx-target="#service-${key}" hx-swap="innerMorph">${html}</hx-partial>`,
    );
    return data.length === 0 ? [] : [{ data: data.join("") }];
  };
  const create = () =>
    new PollTopic({
      everyMs: EVERY_MS,
      read: () => readService({ shell, scope, filter }),
      print,
      printAll: print,
    });
  return { key: `service/${whoKey(shell, scope)}?${serviceQuery(filter)}`, create };
}

/** What is seen, and where it is operated. */
function whoKey({ deps }: Shell, scope: Scope): string {
  if (scope.isSuperuser) return "all";
  const operated = [...deps.directory.all].filter(({ id }) => may(scope, id, "operate"));
  return `${sightKey(scope)}/${scope.isSignedIn}/${operated.map(({ id }) => id).sort((a, b) => a - b)}`;
}
