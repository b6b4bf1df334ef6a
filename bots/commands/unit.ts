import { unitSlug } from '../../core/domain/care/care-room.ts'
import { refuse } from '../../core/domain/refusal.ts'
import { patientsPerUnit } from '../../core/store/patients/patient-desk.ts'
import { deskRooms } from '../../core/store/staff/rooms.ts'
import { answer, table } from '../framework/answer.ts'
import { phrase } from '../framework/args.ts'
import { command } from '../framework/command.ts'

export const unitList = command({
  words: ['unit', 'list'],
  needs: ['admin', 'compliance', 'supervisor', 'clinician', 'desk'],
  args: {},
  help: 'The units with their desk rooms and how many patients each has.',
  views: 'status.view',
  run: async ({ tx }) => {
    const rooms = await deskRooms(tx.sql)
    const patients = await patientsPerUnit(tx.sql)
    const units = [...new Set(['main', ...rooms.map(r => r.unit), ...patients.keys()])]
    const link = (unit: string) => {
      const room = rooms.find(r => r.unit === unit)
      return room ? `https://matrix.to/#/${room.roomId}` : 'being made'
    }
    return answer(
      ...table(
        ['Unit', 'Patients', 'Desk room'],
        units.map(u => [u, String(patients.get(u) ?? 0), link(u)]),
      ),
    )
  },
})

export const unitAdd = command({
  words: ['unit', 'add'],
  needs: 'admin',
  args: { name: phrase('name', 'east wing', 40) },
  help: 'Make a unit: a desk room of its own, and a Space for its care rooms. Its name is not encrypted.',
  run: async ({ tx }, { name }) => {
    if (!/[a-z0-9]/i.test(name)) return refuse('bad-name', 'A unit has letters or digits in its name.')
    const taken = (await deskRooms(tx.sql)).some(r => unitSlug(r.unit) === unitSlug(name))
    if (taken || name === 'main') return refuse('exists', `The unit ${name} exists already.`)
    await tx.enqueue({ queue: 'bots', kind: 'desk.room', key: `desk:${unitSlug(name)}`, payload: { unit: name } })
    return answer(`The desk room of ${name} is being made; who holds the role desk or supervisor is invited.`)
  },
})
