/** Numbers of single precision, as PostgreSQL's `real` holds and prints them. */

/** The shortest decimal that is this number in single precision: 0.1, not 0.10000000149011612. */
export function nearestReal(value: number): number {
  const real = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(real.toPrecision(digits));
    if (Math.fround(short) === real) return short;
  }
  return Number(real.toPrecision(9));
}
