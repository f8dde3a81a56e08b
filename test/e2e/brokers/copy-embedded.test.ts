import { sparseCases } from "../disks/sparse-cases.ts";
import { copyCases } from "./copy-cases.ts";

copyCases("the coordinator's own relay", { broker: () => "embedded", manyFiles: 5_000 });
sparseCases("the coordinator's own relay", () => "embedded");
