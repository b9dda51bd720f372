/** The pages the board has, in the order the navigation lists them. */
import type { BoardPage } from "../web/shell.ts";
import { accountPage } from "./account/routes.ts";
import { auditPage } from "./audit/routes.ts";
import { jobPage } from "./job/routes.ts";
import { livePage } from "./live/routes.ts";
import { orgsPage } from "./orgs/routes.ts";
import { peoplePage } from "./people/routes.ts";

export const boardPages: readonly BoardPage[] = [
  livePage,
  jobPage,
  orgsPage,
  peoplePage,
  auditPage,
  accountPage,
];
