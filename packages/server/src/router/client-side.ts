import type { Socket } from 'node:net'
import type { OutputBatch } from './output-batch.ts'

/** The client's connection as its current request sees it. */
export interface ClientSide {
  readonly socket: Socket
  readonly out: OutputBatch
  readonly forwardedLines: string
  /** The request's body has come and was handed on, whole. */
  readonly isRequestComplete: boolean
  /** From now on the body's bytes come, by `onRequestData`; before that they stay with the client. */
  startBody(): void
  pauseBody(): void
  resumeBody(): void
  /** The response is written. `keepsAlive`: the next request may come. */
  finish(keepsAlive: boolean): void
  /** Gives the socket away for an upgrade, with the bytes that came early. */
  takeOver(): Buffer
}
