import { copyCases } from "./copy-cases.ts";

copyCases("the coordinator's own relay", { broker: () => "embedded", manyFiles: 20_000 });
