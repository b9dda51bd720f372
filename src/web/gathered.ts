/**
 * Questions to the database that are asked in one turn of the event loop, by whomever, are asked as one:
 * panels of many scopes look at the same moment, and mostly at the same things.
 */
import type { Sql } from "../db/client.ts";

export class Gathered<Question, Answer> {
  readonly #ask: (reads: Sql, questions: Question[]) => Promise<Answer>;
  /** What is about to be asked, for each pool. */
  readonly #next = new WeakMap<Sql, { questions: Question[]; answer: Promise<Answer> }>();

  constructor(ask: (reads: Sql, questions: Question[]) => Promise<Answer>) {
    this.#ask = ask;
  }

  /** Resolves with the answer to all. */
  ask(reads: Sql, question: Question): Promise<Answer> {
    const next = this.#next.get(reads);
    if (next) {
      next.questions.push(question);
      return next.answer;
    }
    const questions = [question];
    const answer = new Promise((turn) => setImmediate(turn)).then(() => {
      this.#next.delete(reads);
      return this.#ask(reads, questions);
    });
    this.#next.set(reads, { questions, answer });
    return answer;
  }
}
