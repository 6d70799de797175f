import { readFileSync } from 'node:fs'
import { UserError } from '../kernel/errors.ts'
import { BindFailed, type BoundAddress, bindSocket, type HeldSocket } from '../kernel/listening-handles.ts'
import { listenersOf } from './instances/listeners.ts'
import { processTable } from './instances/processes.ts'
import type { SupervisorSettings } from './settings.ts'

/** The public sockets, which outlive every program that accepts on them. */
export interface PublicSockets {
  readonly api: readonly HeldSocket[]
  readonly http: readonly HeldSocket[]
}

interface Group {
  readonly label: string
  readonly variable: string
  readonly port: number
  /** Hosts to bind together; `optional` ones are left out where the machine has no such address. */
  readonly hosts: readonly { readonly host: string; readonly optional: boolean }[]
  /** Tried when none of `hosts` could be bound for want of the address family. */
  readonly otherwise?: string
}

/**
 * Binds what the settings ask for, taking from `held` (inherited, or lent by programs that outlived a supervisor) what
 * already is the right address; the rest of `held` is closed. Throws `port_in_use`.
 */
export function openPublicSockets(settings: SupervisorSettings, held: readonly HeldSocket[]): PublicSockets {
  const left = [...held]
  const opened: HeldSocket[] = []
  const keep = (group: Group) => openGroup(group, left, opened)
  try {
    const api = keep(apiGroup(settings))
    return { api, http: keep(httpGroup(settings)) }
  } catch (error) {
    for (const socket of opened) socket.close()
    throw error
  } finally {
    for (const socket of left) socket.close()
  }
}

function apiGroup(settings: SupervisorSettings): Group {
  const hosts = settings.apiHost
    ? [{ host: settings.apiHost, optional: false }]
    : [
        { host: '127.0.0.1', optional: false },
        { host: '::1', optional: true },
      ]
  return { label: 'the API', variable: 'GANTRY_API_PORT', port: settings.apiPort, hosts }
}

function httpGroup(settings: SupervisorSettings): Group {
  const group = { label: 'the router', variable: 'GANTRY_HTTP_PORT', port: settings.httpPort }
  if (settings.httpHost) return { ...group, hosts: [{ host: settings.httpHost, optional: false }] }
  return { ...group, hosts: [{ host: '::', optional: true }], otherwise: '0.0.0.0' }
}

function openGroup(group: Group, left: HeldSocket[], opened: HeldSocket[]): HeldSocket[] {
  const sockets: HeldSocket[] = []
  let port = group.port
  const open = (host: string, optional: boolean) => {
    const socket = takeHeld(left, { host, port }) ?? bind({ host, port }, optional, group)
    if (socket === undefined) return
    sockets.push(socket)
    opened.push(socket)
    port = socket.address.port // port 0: every host of the group gets the port that the first one was given
  }
  for (const { host, optional } of group.hosts) open(host, optional)
  if (sockets.length === 0 && group.otherwise) open(group.otherwise, false)
  return sockets
}

function takeHeld(left: HeldSocket[], wanted: BoundAddress): HeldSocket | undefined {
  const index = left.findIndex(
    ({ address }) => address.host === wanted.host && (wanted.port === 0 || address.port === wanted.port),
  )
  return index < 0 ? undefined : left.splice(index, 1)[0]
}

const noSuchAddress = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL']

function bind(address: BoundAddress, optional: boolean, group: Group): HeldSocket | undefined {
  try {
    return bindSocket(address)
  } catch (error) {
    if (!(error instanceof BindFailed)) throw error
    if (optional && noSuchAddress.includes(error.code)) return undefined
    throw explain(error, group)
  }
}

function explain({ code, address }: BindFailed, group: Group): UserError {
  const { port, host } = address
  if (code === 'EADDRINUSE') {
    const holder = findHolder(port)
    const by = holder ? `by ${holder.name} (process ${holder.pid})` : 'by another program'
    return new UserError(
      'port_in_use',
      `Port ${port}, for ${group.label}, is in use ${by}. Stop that program, or set ${group.variable} to a free port.`,
    )
  }
  const hostVariable = group.variable.replace('PORT', 'HOST')
  const advice =
    code === 'EACCES'
      ? `Ports below 1024 are root's: set ${group.variable} to a higher one.`
      : `Set ${hostVariable} to an address of this machine.`
  return new UserError(
    'setting_invalid',
    `Cannot listen on ${host} port ${port} for ${group.label} (${code}). ${advice}`,
  )
}

/** Who listens on a port, as far as this user may look. */
function findHolder(port: number): { pid: number; name: string } | undefined {
  for (const { pid } of processTable.all()) {
    if (!listenersOf([pid]).some((listener) => listener.port === port)) continue
    return { pid, name: readFileSync(`/proc/${pid}/comm`, 'utf8').trim() }
  }
  return undefined
}
