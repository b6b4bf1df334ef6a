import { loadConfig } from '../../config/load.ts'
import { type CliCommand, parseOptions } from '../command.ts'
import { startWardroom } from '../start/start.ts'
import { startTable } from '../start/table.ts'

/** `wardroom start`: everything that this installation needs, until somebody stops it. */
export const start: CliCommand = {
  name: 'start',
  usage: 'start [--config FILE] [--data FOLDER]',
  about: 'set up and run everything; embedded parts for what the configuration does not name',
  run: async args => {
    const { values } = parseOptions(args, { values: ['config', 'data'] })
    const config = loadConfig({ file: values.config })
    const starting = startWardroom({ ...config, dataDir: values.data ?? config.dataDir }, console.log)
    let asked = false
    const ended = new Promise<void>((resolve, reject) => {
      const end = () => {
        if (!asked) console.log('\nStopping …')
        asked = true
        starting.stop().then(() => resolve(), reject)
      }
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end)
      process.once('disconnect', end) // the program that started us was killed
      process.channel?.unref()
    })
    await starting.wardroom.then(
      wardroom => console.log(startTable(wardroom)),
      error => {
        if (!asked) throw error // a stop during the start makes the start fail: that is no error
      },
    )
    await ended
    return 0
  },
}
