import { NATS_FILES, setUpNats } from "../../../coordinator/broker/nats-setup.ts";
import { pathIn, shownPath } from "../../../lib/folder/file-path.ts";
import { formatHostPort } from "../../../lib/net/host-port.ts";
import { systemRandom } from "../../../lib/random.ts";
import { parsePath } from "../../options/parse-name.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { runOnce } from "../../process/run-once.ts";

/** As commander reads them. */
export interface NatsSetupOptions {
  readonly port: number;
  readonly tlsName?: readonly string[];
}

/** `fanfold nats-setup DIR` */
export function natsSetupCommand(dir: string, options: NatsSetupOptions, io: ProgramIo): Promise<number> {
  return runOnce(io, () => {
    const folder = parsePath(dir, "the folder");
    const { port, tlsName: tlsNames = [] } = options;
    setUpNats(folder, { port, tlsNames, now: io.clock.date(), random: systemRandom });
    const shown = (name: string): string => shownPath(pathIn(folder, name));
    const [host] = tlsNames;
    const broker =
      host === undefined
        ? `nats://localhost:${port}`
        : `tls://${formatHostPort({ host, port })} --broker-ca ${shown(NATS_FILES.certificate)}`;
    const serverKey = host === undefined ? [] : [`${shown(NATS_FILES.certificateKey)} (for the server only)`];
    const secrets = [`${shown(NATS_FILES.seeds)} (for the coordinator only)`, ...serverKey];
    io.stdout.write(`Wrote the set-up of a NATS server into ${shownPath(folder)}
  keep offline         ${shown(NATS_FILES.offline)} (move it to a place of its own; nothing that runs needs it)
  keep secret          ${secrets.join(`\n${" ".repeat(23)}`)}
  start the server     (cd ${shownPath(folder)} && nats-server -c ${NATS_FILES.config})
  then                 fanfold coordinator --broker ${broker} --nats-seeds ${shown(NATS_FILES.seeds)}
`);
  });
}
