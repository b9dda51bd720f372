/** Contexts are read by people and by API clients: they are spelled as everything there is. */
export function snakeKeys(figures: object | null): object | null {
  if (figures === null) return null;
  return Object.fromEntries(
    Object.entries(figures).map(([key, value]) => [
      key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
