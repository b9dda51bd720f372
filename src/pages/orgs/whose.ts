/** Which organization a page is about, as far as its reader sees it. */
import type { Organization } from "../../accounts/directory.ts";
import { sees } from "../../core/scope.ts";
import { PageError } from "../../web/errors.ts";
import type { BoardContext, Shell } from "../../web/shell.ts";

/** What is not seen and what does not exist answer alike. */
export function seenOrg(c: BoardContext, shell: Shell): Organization {
  const org = shell.deps.directory.byName(c.req.param("org") ?? "");
  if (org && sees(c.get("caller").scope, org.id)) return org;
  throw new PageError(
    404,
    "No such organization",
    "There is none at this address that you may see.",
  );
}
