/**
 * All rows that match, as they are read: a page in memory at a time, and the next one only when the
 * reader has taken the last.
 */
import type { AuditPage, AuditRow } from "../../web/audit/rows.ts";
import { type Cell, csvLine } from "../../web/csv.ts";
import { type ExportFormat, entryView } from "./schemas.ts";

/** Rows that are read at once. */
export const EXPORT_PAGE = 500;

interface Printer {
  contentType: string;
  head: string;
  print(row: AuditRow): string;
}

const COLUMNS = [
  ...["id", "at", "org", "actor", "person", "token", "address", "action", "object_kind"],
  ...["object_id", "reason", "affected", "before", "after"],
] as const;

const PRINTERS: Readonly<Record<ExportFormat, Printer>> = {
  csv: {
    contentType: "text/csv; charset=utf-8",
    head: csvLine(COLUMNS),
    print: (row) => {
      const view = entryView(row) as unknown as Record<string, unknown>;
      return csvLine(COLUMNS.map((column) => cellOf(view[column])));
    },
  },
  ndjson: {
    contentType: "application/x-ndjson",
    head: "",
    print: (row) => `${JSON.stringify(entryView(row))}\n`,
  },
};

function cellOf(value: unknown): Cell {
  if (value === null || value === undefined) return null;
  return typeof value === "string" || typeof value === "number" ? value : JSON.stringify(value);
}

/** The first page is read before the answer begins, so that what fails at once is an error. */
export async function exportAudit(
  format: ExportFormat,
  name: string,
  read: (before: number | null) => Promise<AuditPage>,
): Promise<Response> {
  const { contentType, head, print } = PRINTERS[format];
  const encoder = new TextEncoder();
  let page: AuditPage | null = await read(null);
  let rest = head;
  let stopped = false;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        // Pages of a search may be empty: on until there is something to hand out, or nothing left.
        while (rest === "" && !stopped) {
          if (page === null) return controller.close();
          rest = page.rows.map(print).join("");
          page = page.next === null ? null : await read(page.next);
        }
        if (rest !== "") controller.enqueue(encoder.encode(rest));
        rest = "";
      },
      cancel() {
        stopped = true;
      },
    },
    { highWaterMark: 0 },
  );
  const file = `signalbox-audit-${name.replaceAll(/[^\w.-]/g, "_")}.${format}`;
  return new Response(body, {
    headers: {
      "content-type": contentType,
      "content-disposition": `attachment; filename="${file}"`,
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    },
  });
}
