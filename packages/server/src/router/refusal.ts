/** Why a request is not served. The connection closes after the answer: nobody knows where the next request begins. */
export class Refusal {
  readonly status: number
  readonly reason: string
  constructor(status: number, reason: string) {
    this.status = status
    this.reason = reason
  }
}
