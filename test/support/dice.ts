/** The dice of the demo, for tests: chance that a number repeats. */
export { Dice } from "../../src/demo/dice.ts";
