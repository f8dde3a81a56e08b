/** One server-sent event, or a sign of life between them. */
interface ReadEvent {
  readonly id: string;
  readonly data: string;
}

/**
 * Reads server-sent events piece by piece, wherever the pieces were cut. The browser's own reader would not tell why it was
 * turned away, nor that the other end has gone silent. Each piece that comes is a sign of life, comments too.
 */
export class EventReader {
  #rest = "";

  /** The events that are whole now. */
  read(piece: string): readonly ReadEvent[] {
    const blocks = (this.#rest + piece).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    return blocks.map(eventIn).filter((event) => event !== undefined);
  }
}

function eventIn(block: string): ReadEvent | undefined {
  let id = "";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length === 0 ? undefined : { id, data: data.join("\n") };
}
