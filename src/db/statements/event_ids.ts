/**
 * Ids of phase events: each statement takes one value of the sequence, and counts on from there. A value
 * for each event was 2 µs of what a job costs the database.
 */

/**
 * What the sequence is stepped by: no statement writes more events, and ids stay below 2^53, which
 * JavaScript can count, for a hundred billion statements.
 */
export const EVENT_ID_STEP = 65_536;

/** A CTE that stands before the one that inserts. */
export const EVENT_IDS = "event_ids as materialized (select nextval('phase_event_id') as base)";

/** `place`: SQL of a number below `EVENT_ID_STEP`, another for each event of the statement. */
export function eventId(place: string): string {
  return `(select base from event_ids) + ${place}`;
}

/** Of the next row of a statement that knows no places. */
export const NEXT_EVENT = eventId("row_number() over ()");
