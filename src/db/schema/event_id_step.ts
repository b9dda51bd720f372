/**
 * What the sequence of event ids is stepped by. Few statements write more events; those take a value each
 * from there on. Ids stay below 2^53, to which JavaScript can count, for a hundred billion statements.
 */
export const EVENT_ID_STEP = 65_536;
