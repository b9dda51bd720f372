/** The small loops that every server runs beside its work. */
import type { EngineContext } from "../context.ts";
import { createFolder, createPartitioner, createReceiptPruner } from "../housekeeping.ts";
import type { Service } from "../service.ts";
import { createKeyPruner, createRecounter } from "../upkeep.ts";

export function createChores(context: EngineContext): Service[] {
  return [
    createFolder(context),
    createPartitioner(context),
    createReceiptPruner(context),
    createKeyPruner(context),
    createRecounter(context),
    context.maintenance,
  ];
}
