/** A page as somebody uses it who has no pointer. */
import type { Page } from "playwright-core";

const STEPS_MAX = 400;

/** By Tab, as far as it takes: what cannot be reached so is out of reach. */
export async function reach(page: Page, selector: string): Promise<void> {
  for (let step = 0; step < STEPS_MAX; step++) {
    if (await page.evaluate((s) => document.activeElement?.matches(s) === true, selector)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${selector} cannot be reached by Tab`);
}

export async function press(page: Page, selector: string): Promise<void> {
  await reach(page, selector);
  await page.keyboard.press("Enter");
}

export async function type(page: Page, selector: string, text: string): Promise<void> {
  await reach(page, selector);
  await page.keyboard.type(text);
}

/**
 * Walks the whole page by Tab, from its top. What Tab never reaches though a pointer could use it, and what
 * does not look focused when it is; empty is good.
 */
export async function outOfReach(page: Page): Promise<string[]> {
  await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    const usable =
      "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    for (const element of document.querySelectorAll(usable)) {
      const isOff = element.matches(":disabled") || !element.checkVisibility();
      if (!isOff) element.setAttribute("data-unreached", "");
    }
  });
  const found: string[] = [];
  // A page may begin in its midst, at the field that it is about: then Tab comes round to its top.
  let rounds = 0;
  for (let step = 0; step < STEPS_MAX; step++) {
    await page.keyboard.press("Tab");
    const state = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return { isOver: true, dull: null };
      const isNew = element.hasAttribute("data-unreached");
      element.removeAttribute("data-unreached");
      // From one of a choice the arrows lead to the others.
      if (element instanceof HTMLInputElement && element.type === "radio") {
        const others = element.form?.querySelectorAll(`[type=radio][name="${element.name}"]`);
        for (const one of others ?? []) one.removeAttribute("data-unreached");
      }
      const shows = (one: Element | null) => {
        const style = one ? getComputedStyle(one) : null;
        return style !== null && (style.outlineStyle !== "none" || style.boxShadow !== "none");
      };
      const looksFocused = shows(element) || shows(element.closest("label"));
      const dull = isNew && !looksFocused ? element.outerHTML.slice(0, 150) : null;
      return { isOver: false, dull };
    });
    if (state.dull !== null) found.push(`does not look focused: ${state.dull}`);
    if (state.isOver) rounds += 1;
    if (rounds === 2) break;
  }
  const rest = await page.$$eval("[data-unreached]", (left) =>
    left.map((element) => `is not reached: ${element.outerHTML.slice(0, 150)}`),
  );
  return [...found, ...rest];
}
