/** Commits, branches and who works on them, as tags and workflows name them. */
import type { Dice } from "../dice.ts";

const HEX = "0123456789abcdef";
const AUTHORS = ["ines", "marek", "tuva", "olu", "harriet", "joaquin"] as const;
const TOPICS = [
  ...["fix-watchdog", "ble-pairing", "new-sensor", "ota-rollback", "less-heap", "clock-drift"],
  ...["checkout-speed", "gift-cards", "search-typos", "basket-merge", "night-mode"],
];

export interface Commit {
  hash: string;
  branch: string;
  author: string;
}

export function makeCommit(dice: Dice): Commit {
  const hash = Array.from({ length: 40 }, () => HEX[dice.between(0, 15)]).join("");
  const author = dice.pick(AUTHORS);
  const branch = dice.chance(0.45) ? "main" : `${author}/${dice.pick(TOPICS)}`;
  return { hash, branch, author };
}

export function tagsOf({ hash, branch, author }: Commit): Record<string, string> {
  return { branch, commit: hash.slice(0, 12), author };
}
