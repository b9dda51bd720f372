/** The pages the board has, in the order the navigation lists them. */
import type { BoardPage } from "../web/shell.ts";
import { jobPage } from "./job/routes.ts";
import { livePage } from "./live/routes.ts";

export const boardPages: readonly BoardPage[] = [livePage, jobPage];
