import { showing } from './catalogue-entry.ts'

/** Why `gantry up` refuses to start. It says so on the terminal; nothing is changed. */
export const startErrors = showing(['start'], {
  port_in_use: {
    status: 503,
    title: 'A port is in use',
    description:
      'Another program listens on the port of the API or of the router; the message says which port. Stop that program, or set `GANTRY_API_PORT` or `GANTRY_HTTP_PORT`.',
  },
  already_running: {
    status: 503,
    title: 'Gantry is already running over this home',
    description:
      'One home is one platform. Use the one that runs, stop it with `gantry down`, or set another `GANTRY_HOME`.',
  },
  setting_invalid: {
    status: 503,
    title: 'A setting is malformed',
    description:
      'An environment variable that configures Gantry has a value that cannot be used. The message names it.',
  },
  database_too_new: {
    status: 503,
    title: 'The database belongs to a newer version',
    description:
      'A newer Gantry has changed the database, and this one would damage it. Start that version, or restore a backup.',
  },
  database_too_old: {
    status: 503,
    title: 'The database server is too old',
    description: 'Gantry needs PostgreSQL 15 or newer. The message has the version found.',
  },
  database_unavailable: {
    status: 503,
    title: 'The database cannot be reached',
    description:
      'PostgreSQL did not start, or `DATABASE_URL` leads nowhere. The message has the cause; the log is under `GANTRY_HOME`.',
  },
  wrong_master_key: {
    status: 503,
    title: 'The master key does not belong to this database',
    description:
      'The config in the database was encrypted with another key, and during a rotation with two. The message names the key that is missing. Put its file back into `keys/` under `GANTRY_HOME`, from the backup of this database.',
  },
  home_not_traversable: {
    status: 503,
    title: 'Other users cannot reach the home',
    description:
      'Gantry was started as root, and a folder above `GANTRY_HOME` lets nobody else through, so apps could not reach their files. The message has the `chmod` to type; or set another `GANTRY_HOME`.',
  },
  home_not_writable: {
    status: 503,
    title: 'The home cannot be written to',
    description: 'The user that started Gantry may not write to `GANTRY_HOME`. Correct its owner, or set another one.',
  },
  program_missing: {
    status: 503,
    title: 'A program is missing',
    description:
      'Gantry needs a program that is not installed, such as git. The message says which and how to install it.',
  },
})
