import { QUEUE_POLICY, RABBIT_FILES, setUpRabbit } from "../../../coordinator/broker/rabbitmq-setup.ts";
import { pathIn, shownPath } from "../../../lib/folder/file-path.ts";
import { systemRandom } from "../../../lib/random.ts";
import { parsePath } from "../../options/parse-name.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { runOnce } from "../../process/run-once.ts";

/** As commander reads them. */
export interface RabbitSetupCommandOptions {
  readonly etc: string;
}

/** `fanfold rabbitmq-setup DIR` */
export function rabbitmqSetupCommand(dir: string, { etc }: RabbitSetupCommandOptions, io: ProgramIo): Promise<number> {
  return runOnce(io, () => {
    const folder = parsePath(dir, "the folder");
    setUpRabbit(folder, { etc, random: systemRandom });
    const shown = (name: string): string => shownPath(pathIn(folder, name));
    const { pattern, definition } = QUEUE_POLICY;
    io.stdout.write(`Wrote the set-up of RabbitMQ into ${shownPath(folder)}
  keep secret          ${shown(RABBIT_FILES.key)} (for the coordinator only: who has it may do anything at this broker)
  at the broker        install -D -m 644 ${shown(RABBIT_FILES.publicKey)} ${etc}/fanfold.pub.pem
                       install -D -m 644 ${shown(RABBIT_FILES.config)} ${etc}/conf.d/40-fanfold.conf
                       rabbitmq-plugins enable --offline rabbitmq_auth_backend_oauth2
                       systemctl restart rabbitmq-server
                       rabbitmqctl add_vhost fanfold
                       rabbitmqctl set_operator_policy -p fanfold --apply-to queues fanfold '${pattern}' '${JSON.stringify(definition)}'
  then                 fanfold coordinator --broker amqps://HOST/fanfold --rabbitmq-key ${shown(RABBIT_FILES.key)}
`);
  });
}
