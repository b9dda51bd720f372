/**
 * How much the rules weigh against each other, argued in one place.
 *
 * The unit is the second: at the usual pace a job gains one point for each second it waits. So a
 * weight says how many seconds of waiting a preference is worth, and one point of priority
 * (`SECONDS_PER_POINT`) is worth 60.
 *
 *   saturation 1000 > fair share 500 > RAM overshoot 400 > inputs 100 > network 80
 *     > name ran here 60, disk 60 > idle processor 50, dependents 50 > spread 40
 *
 * - Rules that look at the job alone (wait, dependents, fair share) choose the job; rules that look
 *   at the pair choose the worker. A worker in trouble (saturation) outweighs every comfort: all
 *   comforts together stay below one such penalty.
 * - Ten points of priority (600 at the usual pace) outweigh every comfort together: who asks for
 *   priority is not overtaken because somebody else's files are warm.
 * - No penalty is a veto. All of them together are bounded, waiting is not: `handicapSeconds` says
 *   after how long a job beats any other, and tests hold it to that.
 *
 * The pace follows the instance: where jobs usually wait W seconds, a job that waited W has 60
 * points. It is held between a quarter point and four points a second, lest affinities drown in the
 * noise of an idle instance, or priority in the backlog of a full one. Fair share alone grows with
 * waits longer than that, or it would mean nothing to who stands behind another's backlog.
 */

/** Points for having waited as long as jobs usually do; also the usual wait where none is known. */
export const WAIT_POINTS = 60;
export const USUAL_WAIT_SECONDS = 60;
/** Between these the pace follows the instance's mean wait. */
export const WAIT_FLOOR_SECONDS = 15;
export const WAIT_CEILING_SECONDS = 240;

export const SATURATION = 1000;
export const SATURATED_CPU_PCT = 80;
export const SATURATED_RAM_FREE = 0.1;
/** A prediction is trusted with this margin before a worker counts as too small. */
export const RAM_MARGIN = 1.1;

export const FAIR_SHARE = 500;
/** How far fair share may grow with the mean wait: a day, in units of the ceiling above. */
export const FAIR_SHARE_GROWTH_MAX = 86_400 / WAIT_CEILING_SECONDS;

export const RESOURCE_FIT = 400;
/** An overshoot counts up to this many times the free memory. */
export const OVERSHOOT_MAX = 2;

export const INPUTS_HERE = 100;
export const RAN_HERE = 60;

export const NETWORK_AFFINITY = 80;
/** Mbit/s; what counts as much, and as fast, where the instance has no mean. */
export const USUAL_NETWORK_MBPS = 100;

export const DISK_AFFINITY = 60;
/** Bytes; from here a name counts as heavy on the disk where the instance has no mean. */
export const USUAL_DISK_BYTES = 100 * 1024 * 1024;
/** MB/s; a disk this fast gets all the points. */
export const FAST_DISK_MBPS = 500;

export const CPU_HEADROOM = 50;
/** Milliseconds; from here a name counts as heavy on the processor where there is no mean. */
export const USUAL_CPU_MS = 60_000;

export const DEPENDENTS = 50;
/** A path this long below a job gives half the points. */
export const DEPENDENTS_HALF = 10;

export const SPREAD = 40;

/** From 0 to 1; anything that is not a number counts as 0. */
export function clamp01(value: number): number {
  return value > 0 ? Math.min(1, value) : 0;
}
