/** What the router itself answers. Nothing of the request is repeated in it but the checked request id. */
export interface Page {
  readonly status: number
  readonly message: string
  readonly requestId: string
  readonly isHtml: boolean
  /** Seconds. */
  readonly retryAfter?: number
  /** The request was HEAD. */
  readonly isBodiless?: boolean
}

const titles: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  404: 'Not Found',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  505: 'HTTP Version Not Supported',
}

/** The whole response; `connection` is its `Connection` line, or empty. */
export function writePage(page: Page, connection: string): string {
  const title = titles[page.status] ?? 'Error'
  const body = page.isHtml
    ? htmlPage(page, title)
    : `${page.status} ${title}\n${page.message}\nRequest ID: ${page.requestId}\n`
  const retry = page.retryAfter === undefined ? '' : `Retry-After: ${page.retryAfter}\r\n`
  return (
    `HTTP/1.1 ${page.status} ${title}\r\nContent-Type: text/${page.isHtml ? 'html' : 'plain'}; charset=utf-8\r\n` +
    `Content-Length: ${body.length}\r\nCache-Control: no-store\r\nX-Request-ID: ${page.requestId}\r\n` +
    `${retry}${connection}\r\n${page.isBodiless ? '' : body}`
  )
}

/** ASCII only: its length is its size. */
function htmlPage(page: Page, title: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${page.status} ${title}</title></head>
<body>
<h1>${page.status} ${title}</h1>
<p>${page.message}</p>
<p><small>Request ID: ${page.requestId}</small></p>
</body>
</html>
`
}
