/** Of which jobs the way of each phase is timed: one in 64, by the last digits of their random ids. */
export function isSampled(job: string): boolean {
  return /[048c]0$/.test(job);
}
