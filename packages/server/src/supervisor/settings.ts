import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { UserError } from '../kernel/errors.ts'

/** What `gantry up` reads from the environment. */
export interface SupervisorSettings {
  /** GANTRY_HOME, absolute. */
  readonly home: string
  readonly apiPort: number
  /** Undefined: both loopbacks. */
  readonly apiHost: string | undefined
  readonly httpPort: number
  /** Undefined: all addresses of both families. */
  readonly httpHost: string | undefined
  /** DATABASE_URL; undefined: the embedded PostgreSQL. */
  readonly databaseUrl: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** Throws `setting_invalid` naming the variable. Port 0 takes a free one. */
export function readSupervisorSettings(environment: Environment, isRoot: boolean): SupervisorSettings {
  return {
    home: readHome(environment.GANTRY_HOME, isRoot),
    apiPort: readPort(environment, 'GANTRY_API_PORT', 4400),
    apiHost: readHost(environment, 'GANTRY_API_HOST'),
    httpPort: readPort(environment, 'GANTRY_HTTP_PORT', 8080),
    httpHost: readHost(environment, 'GANTRY_HTTP_HOST'),
    databaseUrl: environment.DATABASE_URL || undefined,
  }
}

function readHome(text: string | undefined, isRoot: boolean): string {
  if (!text) return isRoot ? '/var/lib/gantry' : resolve(homedir(), '.gantry')
  if (!isAbsolute(text)) throw invalid('GANTRY_HOME', text, 'an absolute path')
  if (/[\n\r\0]/.test(text)) throw invalid('GANTRY_HOME', text, 'a path on one line')
  return resolve(text)
}

function readPort(environment: Environment, name: string, otherwise: number): number {
  const text = environment[name]
  if (!text) return otherwise
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (!(port <= 65_535)) throw invalid(name, text, 'a port number from 0 to 65535')
  return port
}

function readHost(environment: Environment, name: string): string | undefined {
  const text = environment[name]
  if (!text) return undefined
  if (isIP(text) === 0) throw invalid(name, text, 'an IP address such as 127.0.0.1 or ::')
  return text
}

function invalid(name: string, value: string, wanted: string): UserError {
  return new UserError('setting_invalid', `${name} is ${JSON.stringify(value)}, which is not ${wanted}.`)
}
