import type { ControlConnection } from "../port/control-connection.ts";
import type { Messages } from "./admission.ts";

/** Sources that repeat, between two runs: they take part in no session, and listen whether a run is wanted [P-1.12]. */
export class Standby {
  /** With the name of the session of each. */
  readonly #sources = new Map<ControlConnection, string>();

  /** Keeps a source that was let in, until it goes. It has nothing to say. */
  async hold(connection: ControlConnection, session: string, messages: Messages): Promise<void> {
    this.#sources.set(connection, session);
    try {
      const said = await messages.next();
      if (said.done !== true)
        connection.refuse(
          "damaged",
          `cannot read a control message: found "${said.value.type}" of a source that stands by`,
        );
    } finally {
      this.#sources.delete(connection);
    }
  }

  /** Tells the sources of a session to run now; gives how many. */
  run(session: string): number {
    const meant = [...this.#sources].filter(([, name]) => name === session);
    for (const [connection] of meant) connection.send({ type: "run" });
    return meant.length;
  }
}
