import { homedir } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import { UserError } from '../kernel/errors.ts'
import { type LogLevel, logLevels } from '../kernel/pino-logger.ts'

/** What the control plane reads from its environment, once, at start. Frozen. */
export interface Settings {
  /** GANTRY_HOME, absolute. */
  readonly home: string
  readonly apiPort: number
  readonly httpPort: number
  readonly domain: string
  /** DATABASE_URL: the supervisor's, or the user's own server. */
  readonly databaseUrl: string
  readonly logLevel: LogLevel
  readonly requestsPerMinute: number
  /** Bytes of output kept per app. */
  readonly maxLogBytes: number
  readonly keepReleases: number
  readonly keepFailedBuilds: number
  /** How long an instance may take to become healthy. */
  readonly bootLimitMs: number
  /** Builds at once. */
  readonly maxBuilds: number
}

type Environment = Readonly<Record<string, string | undefined>>

/** One variable that a user may set. */
export interface Setting {
  readonly name: string
  /** What holds when it is not set, in words. */
  readonly otherwise: string
  readonly description: string
}

/** Every variable that configures a running Gantry, in the order of `docs/reference/settings.md`. */
export const settingsInWords: readonly Setting[] = [
  {
    name: 'GANTRY_HOME',
    otherwise: '`~/.gantry`; for root `/var/lib/gantry`',
    description: 'The folder of everything that Gantry keeps. One home is one platform. An absolute path.',
  },
  { name: 'GANTRY_API_PORT', otherwise: '`4400`', description: 'The port of the API and of git.' },
  {
    name: 'GANTRY_API_HOST',
    otherwise: 'both loopbacks',
    description: 'The IP address on which the API listens. Put TLS in front before you open it to others.',
  },
  { name: 'GANTRY_HTTP_PORT', otherwise: '`8080`', description: 'The port of the router, on which apps answer.' },
  {
    name: 'GANTRY_HTTP_HOST',
    otherwise: '`::`, else `0.0.0.0`',
    description: 'The IP address on which the router listens.',
  },
  {
    name: 'GANTRY_DOMAIN',
    otherwise: '`localhost`',
    description:
      'The domain below which apps answer: `hello` at `hello.<domain>`, its `staging` at `staging--hello.<domain>`.',
  },
  {
    name: 'DATABASE_URL',
    otherwise: "Gantry's own PostgreSQL",
    description: 'A PostgreSQL server from version 15, such as `postgres://user:password@host:5432/gantry`.',
  },
  {
    name: 'GANTRY_LOG_LEVEL',
    otherwise: '`info`',
    description: `How much the control plane logs: ${logLevels.join(', ')}.`,
  },
  {
    name: 'GANTRY_REQUESTS_PER_MINUTE',
    otherwise: '`6000`',
    description: 'How many API requests a token may make in a minute.',
  },
  {
    name: 'GANTRY_KEEP_RELEASES',
    otherwise: '`10`',
    description: 'How many releases an environment keeps to roll back to.',
  },
  { name: 'GANTRY_KEEP_FAILED_BUILDS', otherwise: '`3`', description: 'How many failed builds an app keeps.' },
  {
    name: 'GANTRY_MAX_LOG_MEGABYTES',
    otherwise: '`100`',
    description: 'How much output is kept of an app. The oldest goes first.',
  },
  {
    name: 'GANTRY_BOOT_LIMIT_SECONDS',
    otherwise: '`60`',
    description: 'How long an instance may take from its start until it is healthy.',
  },
  { name: 'GANTRY_MAX_BUILDS', otherwise: '`2`', description: 'How many builds run at once.' },
  {
    name: 'GANTRY_ROUTER_RESPONSE_TIMEOUT',
    otherwise: '`60`',
    description: 'Seconds until an app must begin its answer.',
  },
  {
    name: 'GANTRY_ROUTER_BODY_IDLE_TIMEOUT',
    otherwise: '`300`',
    description: 'Seconds that a body, a WebSocket or an event stream may stand still.',
  },
  {
    name: 'GANTRY_ROUTER_HOLD',
    otherwise: '`30`',
    description: 'Seconds that requests wait at most while a process type without overlap changes over.',
  },
  {
    name: 'GANTRY_ROUTER_DRAIN',
    otherwise: '`30`',
    description: 'Seconds that a router which is replaced goes on serving.',
  },
]

/** Throws `setting_invalid`, which names the variable. */
export function readSettings(environment: Environment, isRoot: boolean): Settings {
  const integer = (name: string, otherwise: number, limits: { min: number; max: number }) =>
    readInteger(name, environment[name], otherwise, limits)
  return Object.freeze({
    home: readHome(environment.GANTRY_HOME, isRoot),
    apiPort: integer('GANTRY_API_PORT', 4400, { min: 0, max: 65_535 }),
    httpPort: integer('GANTRY_HTTP_PORT', 8080, { min: 0, max: 65_535 }),
    domain: readDomain(environment.GANTRY_DOMAIN),
    databaseUrl: readDatabaseUrl(environment.DATABASE_URL),
    logLevel: readLogLevel(environment.GANTRY_LOG_LEVEL),
    requestsPerMinute: integer('GANTRY_REQUESTS_PER_MINUTE', 6000, { min: 1, max: 1_000_000 }),
    maxLogBytes: integer('GANTRY_MAX_LOG_MEGABYTES', 100, { min: 1, max: 1_000_000 }) * 1024 * 1024,
    keepReleases: integer('GANTRY_KEEP_RELEASES', 10, { min: 2, max: 10_000 }),
    keepFailedBuilds: integer('GANTRY_KEEP_FAILED_BUILDS', 3, { min: 0, max: 10_000 }),
    bootLimitMs: integer('GANTRY_BOOT_LIMIT_SECONDS', 60, { min: 1, max: 3600 }) * 1000,
    maxBuilds: integer('GANTRY_MAX_BUILDS', 2, { min: 1, max: 100 }),
  })
}

function readHome(text: string | undefined, isRoot: boolean): string {
  if (!text) return isRoot ? '/var/lib/gantry' : resolve(homedir(), '.gantry')
  if (!isAbsolute(text)) throw invalid('GANTRY_HOME', text, 'an absolute path')
  return resolve(text)
}

function readInteger(
  name: string,
  text: string | undefined,
  otherwise: number,
  { min, max }: { min: number; max: number },
): number {
  if (!text) return otherwise
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw invalid(name, text, `a whole number from ${min} to ${max}`)
}

function readDomain(text: string | undefined): string {
  if (!text) return 'localhost'
  const isDomain =
    text.length <= 200 && /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)
  if (isDomain) return text
  throw invalid('GANTRY_DOMAIN', text, 'a domain in lower case, such as apps.example.com')
}

function readDatabaseUrl(text: string | undefined): string {
  if (text && /^postgres(?:ql)?:\/\//.test(text)) return text
  // never the value itself: it holds a password
  throw new UserError('setting_invalid', 'DATABASE_URL must begin with postgres:// and name a server and a database.')
}

function readLogLevel(text: string | undefined): LogLevel {
  const level = logLevels.find((each) => each === (text || 'info'))
  if (level) return level
  throw invalid('GANTRY_LOG_LEVEL', text ?? '', `one of ${logLevels.join(', ')}`)
}

function invalid(name: string, value: string, wanted: string): UserError {
  return new UserError('setting_invalid', `${name} is ${JSON.stringify(value)}, which is not ${wanted}.`)
}
