/**
 * Templates. A page is printed inside the layout, a fragment (`_name`) alone; the same fragment serves
 * first paint, htmx answers and live pushes.
 *
 * Eta prints a missing value as the word "undefined". Here every value passes a filter: a missing one
 * prints as nothing and is reported, so that no reader sees it and a test can fail on it.
 */
import { Eta } from "eta";
import type { Assets } from "./assets.ts";
import * as format from "./format.ts";
import { icon } from "./icons.ts";
import { flagged } from "./words.ts";

export interface Renderer {
  /** One fragment or page body, without the layout. */
  fragment(name: string, model: object): string;
  /** `body` inside the layout. */
  layout(body: string, frame: object): string;
}

export interface RenderOptions {
  views: string;
  assets: Assets;
  /** Told of values that a template printed but its model did not hold. */
  onMissing(template: string, value: string): void;
}

export function createRenderer(options: RenderOptions): Renderer {
  let current = "";
  const eta = new Eta({
    views: options.views,
    cache: true,
    autoFilter: true,
    // A tag that stands alone on its line leaves no empty line behind.
    autoTrim: [false, "nl"],
    functionHeader: "const { f, icon, asset, flagged } = this.helpers;",
    filterFunction: (value) => {
      if (typeof value === "string") return value;
      const printable =
        typeof value === "number" ? Number.isFinite(value) : typeof value === "boolean";
      if (printable) return String(value);
      options.onMissing(current, String(value));
      return "";
    },
  });
  Object.assign(eta, { helpers: { f: format, icon, asset: options.assets.url, flagged } });
  const render = (name: string, model: object) => {
    current = name;
    return eta.render(name, model);
  };
  return {
    fragment: render,
    layout: (body, frame) => render("_layout/page", { ...frame, body }),
  };
}
