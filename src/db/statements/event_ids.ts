/**
 * Ids of phase events: each statement takes one value of the sequence, and counts on from there. A value
 * for each event was 2 µs of what a job costs the database.
 */
import { EVENT_ID_STEP } from "../schema/event_id_step.ts";

/**
 * A CTE that stands before the one that inserts. The transaction has its id before the value is taken,
 * which the floor of the feed relies on: a function in `from` runs before what is selected.
 */
export const EVENT_IDS =
  "event_ids as materialized (select nextval('phase_event_id') as base from pg_current_xact_id())";

/** `place`: SQL of a number below `EVENT_ID_STEP`, another for each event of the statement. */
export function eventId(place: string): string {
  return `(select base from event_ids) + ${place}`;
}

/** Of the next row of a statement that knows no places, or has no bound. */
export const NEXT_EVENT = `case when row_number() over () < ${EVENT_ID_STEP}
  then ${eventId("row_number() over ()")} else nextval('phase_event_id') end`;
