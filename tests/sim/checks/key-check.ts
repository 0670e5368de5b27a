import type { JobSpec, PayloadRef } from "@longhaul/contracts";
import { decodePayload } from "../../../libs/objects/src/payload-bytes.ts";
import type { Created } from "../../../services/gateway/src/downloads/create.ts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Scene } from "../scene.ts";
import type { KeyedRequest, Witness } from "./witness.ts";

/** From a create to the deletion, or until the job is forgotten; `asked`: for what. */
type Life = { createdAt: number; asked: string; erasedAt: number | null };

/**
 * An idempotency key stands for one job: whoever repeats the request has that job, whoever asks for something else with
 * it is refused, and when the job was deleted the key is spent, for as long as that is remembered.
 */
export class KeyCheck implements Witness {
  readonly #scene: Pick<Scene, "world" | "views" | "store">;
  /** The lives of each job that a key stands for, the newest last. */
  readonly #lives = new Map<string, Life[]>();
  /** Lists of files that lie beside their records, by key: an answer may come after they were deleted. */
  readonly #fileIds = new Map<string, unknown>();

  constructor(scene: Pick<Scene, "world" | "views" | "store">) {
    this.#scene = scene;
    scene.views.onChange(({ after }) => after && "erased" in after && this.#end(after._id));
  }

  onStored({ after: { record } }: StoredWrite): void {
    const { world } = this.#scene;
    if (record.status === "erased") this.#end(record.id);
    if (record.status !== "queued" || record.timeline.at(-1)?.event !== "created") return;
    const lives = this.#lives.get(record.id) ?? [];
    this.#lives.set(record.id, [...lives, { createdAt: world.now, asked: this.#askedOf(record.spec), erasedAt: null }]);
    if (lives.length > 0) world.statistics.count("keys whose job began anew");
  }

  onKeyAnswered(id: string, { body, at }: KeyedRequest, answer: Created | string): void {
    const { world } = this.#scene;
    const lives = this.#lives.get(id) ?? [];
    // What was true at some time between the request and its answer is a right answer.
    const met = lives.filter((_, i) => (lives[i + 1]?.createdAt ?? world.now) >= at);
    world.statistics.count(
      `keyed creates: ${typeof answer === "string" ? answer : answer.replayed ? "replay" : "new"}`,
    );
    const problem =
      typeof answer === "string" ? refusalProblem(answer, body, met) : this.#jobProblem(answer, id, body, at, met);
    if (problem) world.violate(`a create with a key is answered with ${problem}`, id);
  }

  #jobProblem({ record }: Created, id: string, body: KeyedRequest["body"], at: number, met: Life[]): string | null {
    if (record.id !== id) return `another job, ${record.id}`;
    const asked = askedBy(body);
    if (this.#askedOf(record.spec) !== asked) return "the job of another body";
    const alive = met.some((life) => life.asked === asked && (life.erasedAt === null || life.erasedAt >= at));
    return alive ? null : "a job that was deleted before the request";
  }

  #askedOf({ fileIds, ref, archive, expiresInSeconds }: JobSpec): string {
    return JSON.stringify([ref ? this.#listAt(ref) : fileIds, archive, expiresInSeconds]);
  }

  #listAt(ref: PayloadRef): unknown {
    const list = this.#fileIds.get(ref.key) ?? decodePayload(ref, this.#scene.store.get(ref.key));
    this.#fileIds.set(ref.key, list);
    return list;
  }

  #end(id: string): void {
    const life = this.#lives.get(id)?.at(-1);
    if (life) life.erasedAt ??= this.#scene.world.now;
  }
}

function refusalProblem(code: string, body: KeyedRequest["body"], met: Life[]): string | null {
  if (code === "IDEMPOTENCY_KEY_SPENT")
    return met.some(({ erasedAt }) => erasedAt !== null) ? null : `${code}, undeleted`;
  if (code === "IDEMPOTENCY_KEY_REUSED") {
    return met.some(({ asked }) => asked !== askedBy(body)) ? null : `${code}, and the body is the same`;
  }
  return null;
}

const askedBy = ({ fileIds, archive, expiresIn }: KeyedRequest["body"]): string =>
  JSON.stringify([fileIds, archive, expiresIn]);
