import { closeSync, openSync, writeSync } from "node:fs";
import { Noise } from "../workloads/noise.ts";

const MIB = 1024 * 1024;
/** What one row takes, about. */
const ROW_BYTES = 144;
const VALUE_CHARACTERS = 96;
const ROWS_OF_A_BLOCK = 10_000;
const NOISE_BYTES = (ROWS_OF_A_BLOCK * VALUE_CHARACTERS * 3) / 4;
const STATES = ["new", "paid", "packed", "shipped", "returned"];
const HEAD = [
  "--\n-- PostgreSQL database dump\n--\n",
  "SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n",
  "CREATE TABLE public.orders (id bigint NOT NULL, token text, customer integer, state text, note text, at timestamp);\n",
  "COPY public.orders (id, token, customer, state, note, at) FROM stdin;\n",
].join("\n");
const TAIL = "\\.\n\n--\n-- PostgreSQL database dump complete\n--\n";

/** Which rows have changed: of those from some share of the table on. */
export interface ChangedRows {
  readonly from: number;
  readonly share: number;
}

/** A dump as pg_dump writes it: rows of a table, in the order of their ids. Those that changed have another length. */
export function writeDump(path: string, bytes: number, changed?: ChangedRows): void {
  const values = new Noise("rows");
  const changes = new Noise("changed rows");
  const rows = Math.floor(bytes / ROW_BYTES);
  const fd = openSync(path, "w");
  writeSync(fd, HEAD);
  for (let first = 0; first < rows; first += ROWS_OF_A_BLOCK) {
    const tokens = takeText(values, NOISE_BYTES);
    const words = takeWords(changes, ROWS_OF_A_BLOCK);
    const lines: string[] = [];
    for (let index = 0; index < Math.min(ROWS_OF_A_BLOCK, rows - first); index += 1) {
      const token = tokens.slice(index * VALUE_CHARACTERS, (index + 1) * VALUE_CHARACTERS);
      const row = first + index;
      const odds = changed !== undefined && row >= rows * changed.from ? changed.share : 0;
      const word = words[index] ?? 0;
      lines.push(rowOf(row, token, word < odds * 2 ** 32 ? word : undefined));
    }
    writeSync(fd, lines.join(""));
  }
  writeSync(fd, TAIL);
  closeSync(fd);
}

function rowOf(id: number, token: string, change: number | undefined): string {
  const [customer, state] = [(id * 7919) % 100_003, STATES[((change ?? 0) + id) % STATES.length] ?? ""];
  const note = change === undefined ? "\\N" : `changed by the clerk, see ${change}`;
  const seconds = String(id % 60).padStart(2, "0");
  return `${id}\t${token}\t${customer}\t${state}\t${note}\t2026-11-28 ${id % 24}:${id % 60}:${seconds}.${id % 997}\n`;
}

function takeText(noise: Noise, bytes: number): string {
  return noise.take(Math.min(MIB, bytes)).toString("base64");
}

function takeWords(noise: Noise, count: number): Uint32Array {
  const bytes = noise.take(count * 4);
  return new Uint32Array(new Uint8Array(bytes).buffer);
}
