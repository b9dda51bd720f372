/** What each of the cast is answered, a letter each in the order of `CAST`. */

/** y: it is done or shown; r: the way to the sign-in form; the rest by its status. */
const STATUS: Record<string, number> = { r: 303, "1": 401, "3": 403, "4": 404 };

/** superuser owner operator member viewer, of acme; foreigner anonymous narrowed. */
export interface ByOrg {
  acme: string;
  open: string;
}

export const READ: ByOrg = { acme: "yyyyy41y", open: "yyyyyy14" };
/** Counts of public organizations are for strangers too. */
export const COUNTED: ByOrg = { acme: "yyyyy44y", open: "yyyyyyy4" };
export const SUBMIT: ByOrg = { acme: "yyyy3413", open: "y3333y14" };
export const OPERATE: ByOrg = { acme: "yyy33413", open: "y3333314" };
export const MANAGE: ByOrg = { acme: "yy333413", open: "y3333314" };
/** Pages and their forms: who is not signed in is led to the form. */
export const READ_PAGE: ByOrg = { acme: "yyyyy4ry", open: "yyyyyyr4" };
export const OPERATE_PAGE: ByOrg = { acme: "yyy33413", open: "y3333314" };
/** Pages of what is operated. */
export const OPERATED_PAGE: ByOrg = { acme: "yyy334r3", open: "y33333r4" };
/** Pages of whatever one operates, where that is anything. */
export const OPERATORS_PAGE = "yyy333r3";
/** Whatever it is asked of: what is not seen is left out of the answer, or is as if it was not there. */
export const SIGNED_IN = "yyyyyy1y";
export const SIGNED_IN_PAGE = "yyyyyyry";
export const SUPERUSER = "y3333313";
export const SUPERUSER_PAGE = "y33333r3";
/** What nobody else is told of at all. */
export const MAINTENANCE_PAGE = "y44444r4";
export const EVERYBODY = "yyyyyyyy";

export function statusOf(letter: string, ok: number): number {
  return letter === "y" ? ok : STATUS[letter]!;
}
