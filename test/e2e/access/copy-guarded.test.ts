import { copyCases } from "../brokers/copy-cases.ts";

copyCases("the relay, with TLS and tokens", { broker: () => "embedded", access: "guarded", manyFiles: 2_000 });
