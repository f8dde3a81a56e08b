import { copyCases } from "./copy-cases.ts";
import { sparseCases } from "./sparse-cases.ts";

copyCases("the coordinator's own relay", { broker: () => "embedded", manyFiles: 20_000 });
sparseCases("the coordinator's own relay", () => "embedded");
