import { Refusal } from './refusal.ts'

/** What a request is for: the table's key, the `Host` to pass on, and the target in origin form. */
export interface Target {
  readonly host: string
  readonly authority: string
  readonly path: string
}

/** Visible ASCII but `#`, which never belongs into a request. */
const targetCharacters = /^[!"$-~]+$/
/** A name or IPv4 address, or an IPv6 address in brackets, and a port. No list, no user, no path. */
const authorityForm = /^([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?$/

/** Checks request target and `Host` against each other (RFC 9112 §3.2, §3.3). */
export function checkTarget(
  method: string,
  target: string,
  { hosts, isHttp10 }: { hosts: readonly string[]; isHttp10: boolean },
): Target | Refusal {
  if (method === 'CONNECT') return new Refusal(405, 'This server is no forward proxy.')
  if (!targetCharacters.test(target))
    return new Refusal(400, 'The request target holds characters that are not allowed.')
  const authority = checkHost(hosts, isHttp10)
  if (authority instanceof Refusal) return authority
  const host = hostOf(authority)
  if (target.startsWith('/')) return { host, authority, path: withOneSlash(target) }
  if (target === '*' && method === 'OPTIONS') return { host, authority, path: target }
  return checkAbsolute(target, authority)
}

function checkHost(hosts: readonly string[], isHttp10: boolean): string | Refusal {
  const host = hosts[0]
  if (host === undefined) return isHttp10 ? '' : new Refusal(400, 'The request has no Host header.')
  if (hosts.length > 1) return new Refusal(400, 'The request has more than one Host header.')
  if (!authorityForm.test(host)) return new Refusal(400, 'The Host header is malformed.')
  return host
}

function checkAbsolute(target: string, authority: string): Target | Refusal {
  const parts = /^https?:\/\/([^/?]+)(.*)$/i.exec(target)
  const named = parts?.[1]
  if (named === undefined || !authorityForm.test(named)) return new Refusal(400, 'The request target is malformed.')
  if (withDefaultPort(named) !== withDefaultPort(authority)) {
    return new Refusal(400, 'The request target and the Host header disagree.')
  }
  const path = parts?.[2] ?? ''
  return { host: hostOf(authority), authority, path: withOneSlash(path.startsWith('/') ? path : `/${path}`) }
}

/** Without port and final dot, in lower case. */
function hostOf(authority: string): string {
  const name = authority.replace(/:\d+$/, '').toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}

function withDefaultPort(authority: string): string {
  return authority.toLowerCase().replace(/:80$/, '')
}

/** `//evil/x` would be another host to whoever resolves it as a reference (RFC 3986 §4.2). */
function withOneSlash(path: string): string {
  return path.startsWith('//') ? path.replace(/^\/+/, '/') : path
}
