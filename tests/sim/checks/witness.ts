import type { CreateDownload, WorkItem } from "@longhaul/contracts";
import type { Stored } from "../../../libs/bus/src/stored.ts";
import type { Created } from "../../../services/gateway/src/downloads/create.ts";
import type { StoredWrite } from "../bus/jobs-stream.ts";
import type { Arrival } from "../bus/puller.ts";
import type { Process } from "../kernel/process.ts";

/** Watches a history from outside and reports broken promises to the world. It never changes anything. */
export interface Witness {
  /** A write was stored. */
  onStored?(write: StoredWrite): void;
  /** A process sent a write, whatever becomes of it; `item`: the work item that it was for, null = for none. */
  onAppend?(process: string, job: string, expectedSeq: number, item: number | null): void;
  /** A work item was removed. */
  onGone?(sequence: number, item: WorkItem): void;
  /** A work item reached a worker. */
  onArrival?(process: Process, arrival: Arrival): void;
  /** A worker answers a delivery, other than by an ack. */
  onPutOff?(process: string, what: "nak" | "working", arrival: Pick<Arrival, "sequence" | "item">): void;
  /** A record reached a process, in its work for this item; null = for none in particular. */
  onLearned?(process: string, stored: Stored, item: number | null): void;
  /** A call left for the object store, made for this run; null = for none. */
  onStoreCall?(process: Process, run: string | null, what: string, key: string): void;
  /** A create with an idempotency key, that stands for this job, was answered: with the job, or a problem's code. */
  onKeyAnswered?(id: string, asked: KeyedRequest, answer: Created | string): void;
  /** A request for this job was answered with 404. */
  onNotFound?(id: string): void;
  /** The store's answer to a part of this run has arrived. */
  onPartSent?(run: string, etag: string): void;
  /** The world has come to rest. */
  atRest?(): void;
}

/** `at`: virtual time of the request. */
export type KeyedRequest = { body: CreateDownload; at: number };

/** All witnesses of a history as one. */
export class Witnesses implements Required<Witness> {
  readonly #all: readonly Witness[];

  constructor(all: readonly Witness[]) {
    this.#all = all;
  }

  onStored(...what: Parameters<Required<Witness>["onStored"]>): void {
    for (const witness of this.#all) witness.onStored?.(...what);
  }

  onAppend(...what: Parameters<Required<Witness>["onAppend"]>): void {
    for (const witness of this.#all) witness.onAppend?.(...what);
  }

  onGone(...what: Parameters<Required<Witness>["onGone"]>): void {
    for (const witness of this.#all) witness.onGone?.(...what);
  }

  onArrival(...what: Parameters<Required<Witness>["onArrival"]>): void {
    for (const witness of this.#all) witness.onArrival?.(...what);
  }

  onPutOff(...what: Parameters<Required<Witness>["onPutOff"]>): void {
    for (const witness of this.#all) witness.onPutOff?.(...what);
  }

  onLearned(...what: Parameters<Required<Witness>["onLearned"]>): void {
    for (const witness of this.#all) witness.onLearned?.(...what);
  }

  onStoreCall(...what: Parameters<Required<Witness>["onStoreCall"]>): void {
    for (const witness of this.#all) witness.onStoreCall?.(...what);
  }

  onKeyAnswered(...what: Parameters<Required<Witness>["onKeyAnswered"]>): void {
    for (const witness of this.#all) witness.onKeyAnswered?.(...what);
  }

  onNotFound(id: string): void {
    for (const witness of this.#all) witness.onNotFound?.(id);
  }

  onPartSent(...what: Parameters<Required<Witness>["onPartSent"]>): void {
    for (const witness of this.#all) witness.onPartSent?.(...what);
  }

  atRest(): void {
    for (const witness of this.#all) witness.atRest?.();
  }
}
