/** Light, dark, or what the system says. A cookie, so that the first byte has the right colours. */
import { cookieOf } from "../accounts/sessions.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export function themeOf(request: Request): Theme {
  const value = cookieOf(request, "signalbox_theme");
  return value === "light" || value === "dark" ? value : "system";
}
