import { plainWords } from '../names/plain-words.ts'

/** What a column can mean. `start` and `end` hold a date, or a date and a time; `startTime` and `endTime` a time alone. */
export type Column =
  | 'name'
  | 'firstName'
  | 'lastName'
  | 'contact'
  | 'start'
  | 'startTime'
  | 'end'
  | 'endTime'
  | 'summary'
  | 'zone'
  | 'uid'

const names: Record<Column, string> = {
  name: `name, full name, person, provider, physician, doctor, clinician, staff, staff name, provider name, employee, member,
    assigned, assigned to, assignee, on call, on duty, who, nombre, nombre completo, nombre y apellidos, persona, profesional,
    medico, medica, facultativo, facultativa, doctora, enfermera, enfermero, asignado, asignada, asignado a, de guardia, quien,
    trabajador, empleado`,
  firstName: 'first name, given name, forename, nombre de pila',
  lastName: 'last name, surname, family name, apellido, apellidos',
  contact: `email, e mail, mail, email address, matrix, matrix id, matrix user, user id, correo, correo electronico, usuario,
    usuario matrix`,
  start: `start, starts, starts at, start at, from, begin, begins, start date, date, day, start datetime, start date time, from date,
    shift date, shift start, inicio, desde, comienzo, empieza, fecha, dia, fecha inicio, fecha de inicio, inicio turno,
    inicio del turno, fecha desde, fecha y hora de inicio`,
  startTime: `start time, from time, begin time, time in, shift start time, hora inicio, hora de inicio, hora desde,
    hora de comienzo, hora entrada, hora de entrada`,
  end: `end, ends, ends at, end at, to, until, finish, end date, end datetime, end date time, to date, shift end, fin, hasta,
    termina, fecha fin, fecha de fin, fecha final, fin turno, fin del turno, fecha hasta, fecha y hora de fin, final`,
  endTime: `end time, to time, finish time, time out, shift end time, hora fin, hora de fin, hora hasta, hora final, hora salida,
    hora de salida`,
  summary: `summary, shift, shift name, role, task, assignment, service, subject, title, description, schedule, turno, guardia,
    puesto, servicio, tarea, asunto, descripcion, rol, titulo`,
  zone: 'time zone, timezone, tz, zona horaria, huso horario',
  uid: 'id, uid, shift id, event id, id turno, identificador',
}

const meanings = new Map(
  (Object.keys(names) as Column[]).flatMap(column => names[column].split(',').map(name => [plainWords(name), column])),
)

/** Where each meaning stands in a header, English or Spanish; two columns of one meaning are told in `twice`. Beside a surname, “nombre” is the first name. */
export const readHeader = (header: readonly string[]) => {
  const at = new Map<Column, number>()
  const twice: Column[] = []
  const found = header.map(name => meanings.get(plainWords(name)))
  found.forEach((meaning, i) => {
    const column =
      meaning === 'name' && found.includes('lastName') && !found.includes('firstName') ? 'firstName' : meaning
    if (!column) return
    if (at.has(column)) twice.push(column)
    else at.set(column, i)
  })
  return { at, twice, named: at.has('name') || at.has('lastName') || at.has('contact') }
}
