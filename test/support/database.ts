/** Databases for tests: a real PostgreSQL, migrated, one database of its own per call. */
import { randomBytes } from "node:crypto";
import process from "node:process";
import { ownCluster } from "./own_cluster.ts";
import { asSuperuser, sharedCluster } from "./shared_cluster.ts";

export interface TestDatabase {
  url: string;
  /** Cuts its connections and removes it. */
  drop(): Promise<void>;
}

/**
 * A migrated database with partitions, cloned from a template in some 30 ms, on a server shared
 * with other test processes that promises nothing across a crash. With `durable`, on a server of
 * its own with the settings of production (two seconds).
 */
export async function testDatabase(options: { durable?: boolean } = {}): Promise<TestDatabase> {
  if (options.durable) {
    const cluster = await ownCluster();
    return { url: cluster.url, drop: () => cluster.stop() };
  }
  const { template } = await sharedCluster();
  return await makeDatabase(template);
}

/** A database without any table of ours, on the shared server. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return await makeDatabase("template0");
}

async function makeDatabase(template: string): Promise<TestDatabase> {
  const { admin, role, urlOf } = await sharedCluster();
  const name = `t_${process.pid}_${randomBytes(6).toString("hex")}`;
  await asSuperuser(admin, (sql) =>
    // Copying files beats writing them to the log: 23 ms instead of 240.
    sql.unsafe(`create database ${name} template ${template} strategy file_copy owner ${role}`),
  );
  return {
    url: urlOf(name),
    drop: async () => {
      await asSuperuser(admin, (sql) => sql.unsafe(`drop database if exists ${name} with (force)`));
    },
  };
}

export {
  disposableFolder,
  killAndWait,
  type OwnCluster,
  ownCluster,
  postmasterPid,
} from "./own_cluster.ts";
