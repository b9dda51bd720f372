/** One picture of the job service for all who see it and may act on it alike, read anew while they watch. */
import { may, type Scope, sightKey } from "../../core/scope.ts";
import type { FeedEvent } from "../../engine/feed.ts";
import { PollTopic } from "../../web/live/poll.ts";
import type { LiveMessage } from "../../web/live/sse.ts";
import type { TopicRequest } from "../../web/live/topic.ts";
import type { Shell } from "../../web/shell.ts";
import { type ServiceFilter, serviceQuery } from "./filter.ts";
import { readService } from "./read.ts";

const EVERY_MS = 2_000;

/** Somebody who has just done something opens the page to see it done. */
const FRESH_MS = 250;

export class ServiceTopic extends PollTopic {
  #readAt = Number.NEGATIVE_INFINITY;

  override async tick(): Promise<void> {
    await super.tick();
    this.#readAt = performance.now();
  }

  async freshen(): Promise<void> {
    if (performance.now() - this.#readAt > FRESH_MS) await this.tick();
  }

  /** A page has just been printed from this picture: rows that did not change are left alone, with their ticks. */
  override async missed(_: readonly FeedEvent[], wasCut: boolean): Promise<LiveMessage[]> {
    return wasCut ? this.full() : [];
  }
}

export function serviceTopic(
  shell: Shell,
  filter: ServiceFilter,
  scope: Scope,
): TopicRequest<ServiceTopic> {
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
    new ServiceTopic({
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
