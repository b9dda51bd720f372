/** Organizations: made by superusers, changed by their admins. Each change is told to every server. */
import type { Author } from "../core/author.ts";
import { isSystem } from "../core/background/system_org.ts";
import type { Sql } from "../db/client.ts";
import { writeAudit } from "../db/statements/audit.ts";
import { changing, type Writer } from "./announce.ts";
import { Refused } from "./refused.ts";

export const ORG_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const TITLE_MAX = 100;

export interface OrgSettings {
  /** Null shows the name. */
  title: string | null;
  isPublic: boolean;
}

interface SettingsRow {
  title: string | null;
  is_public: boolean;
}

export class Organizations {
  readonly #writer: Writer;

  constructor(writer: Writer) {
    this.#writer = writer;
  }

  get #sql(): Sql {
    return this.#writer.sql;
  }

  /** With a queue `default`, as everywhere. Its id. Throws Refused for a bad or a taken name. */
  async create(name: string, settings: OrgSettings, author: Author): Promise<number> {
    if (!ORG_NAME.test(name)) {
      const text =
        "A name has 1 to 63 of a-z, 0-9, dot, dash and underscore, first a letter or digit.";
      throw new Refused("invalid", text, "name");
    }
    if (isSystem(name)) {
      const text = `${name} is what Signalbox calls its own maintenance: take another name.`;
      throw new Refused("invalid", text, "name");
    }
    const title = titleOf(settings.title);
    return await changing(this.#writer, { orgs: true }, async (tx) => {
      const [row] = await tx<{ id: number }[]>`
        insert into org (name, title, is_public) values (${name}, ${title}, ${settings.isPublic})
        on conflict (name) do nothing returning id`;
      if (!row) throw new Refused("conflict", `There is an organization ${name}.`, "name");
      await tx`insert into queue (org_id, name) values (${row.id}, 'default')`;
      const after = { name, title, is_public: settings.isPublic };
      await writeAudit(tx, [{ ...entry(row.id, name, author, "org.create"), after }]);
      return row.id;
    });
  }

  /** Nothing is written where nothing changes. */
  async change(
    org: { id: number; name: string },
    settings: Partial<OrgSettings>,
    author: Author,
    reason: string | null = null,
  ): Promise<void> {
    await changing(this.#writer, { orgs: true }, async (tx) => {
      const [before] = await tx<SettingsRow[]>`
        select title, is_public from org where id = ${org.id} for update`;
      if (!before) return;
      const after: SettingsRow = {
        title: settings.title === undefined ? before.title : titleOf(settings.title),
        is_public: settings.isPublic ?? before.is_public,
      };
      if (after.title === before.title && after.is_public === before.is_public) return;
      await tx`
        update org set title = ${after.title}, is_public = ${after.is_public} where id = ${org.id}`;
      const what = entry(org.id, org.name, author, "org.change");
      await writeAudit(tx, [{ ...what, reason, before, after }]);
    });
  }
}

function titleOf(title: string | null): string | null {
  const own = title?.trim() ?? "";
  if (own.length > TITLE_MAX || /\p{Cc}/u.test(own)) {
    throw new Refused("invalid", `A title has at most ${TITLE_MAX} letters.`, "title");
  }
  return own === "" ? null : own;
}

function entry(org: number, name: string, author: Author, action: string) {
  return { org, author, action, objectKind: "org", objectId: name };
}
