import type { RequestHead } from './check-request.ts'
import type { ResponseHead } from './check-response.ts'
import { addBody, lastChunk, type OutputBatch } from './output-batch.ts'
import { writePage } from './pages.ts'
import { connectionLine, planReply, writeInterimHead } from './write-heads.ts'

const classes = ['', '1xx', '2xx', '3xx', '4xx', '5xx']

/** What the client gets for one request. Everything goes to the connection's batch; the caller flushes. */
export class Reply {
  readonly #request: RequestHead
  readonly #requestId: string
  readonly #out: OutputBatch
  #status = 0
  #isChunked = false
  /** No limit for the time between two events of a stream. */
  isEventStream = false
  /** Whether the client's connection may carry another request, as the head said. */
  keepsAlive = false

  constructor(request: RequestHead, requestId: string, out: OutputBatch) {
    this.#request = request
    this.#requestId = requestId
    this.#out = out
  }

  /** Of the app's answer; undefined: none has begun. */
  get responseClass(): string | undefined {
    return this.#status === 0 ? undefined : classes[Math.trunc(this.#status / 100)]
  }

  interim(head: ResponseHead): void {
    const isWanted = head.status === 100 ? this.#request.expectsContinue : !this.#request.isHttp10
    if (isWanted) this.#out.add(writeInterimHead(head))
  }

  begin(head: ResponseHead, mayKeepAlive: boolean): void {
    const plan = planReply(this.#request, head, mayKeepAlive)
    this.#status = head.status
    this.#isChunked = plan.isChunked
    this.isEventStream = head.isEventStream
    this.keepsAlive = plan.keepsAlive
    this.#out.add(plan.text)
  }

  data(data: Buffer): void {
    addBody(this.#out, data, this.#isChunked)
  }

  end(): void {
    if (this.#isChunked) this.#out.add(lastChunk)
  }

  /** The router's own answer. */
  page(status: number, message: string, mayKeepAlive: boolean): void {
    const request = this.#request
    this.keepsAlive = mayKeepAlive && request.keepsAlive
    const page = {
      status,
      message,
      requestId: this.#requestId,
      isHtml: request.prefersHtml,
      isBodiless: request.method === 'HEAD',
      ...(status === 503 ? { retryAfter: 1 } : {}),
    }
    this.#out.add(writePage(page, connectionLine(request, this.keepsAlive)))
  }
}
