/** A process that migrates the database of its first argument and prints what it applied. */
import process from "node:process";
import { migrate } from "../../src/db/migrate.ts";

console.log(`applied ${JSON.stringify(await migrate(process.argv[2] ?? ""))}`);
