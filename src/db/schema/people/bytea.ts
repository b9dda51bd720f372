import { customType } from "drizzle-orm/pg-core";

/** Bytes, as drizzle lacks them. */
export const bytea = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
