/** A made-up patient, with a number that nobody has and a day of birth (ISO) that the page tells. */
export type Person = { name: string; phone: string; dob: string; hello: string }

/** "Start over" takes the next one; after the last comes the first again, whose enrolment was closed meanwhile. */
export const people: readonly [Person, ...Person[]] = [
  {
    name: 'Maria Alvarez',
    phone: '+12025550123',
    dob: '1950-03-07',
    hello: 'Good morning, Mrs. Alvarez. How do you feel with the new tablets?',
  },
  {
    name: 'James Carter',
    phone: '+12025550134',
    dob: '1962-11-21',
    hello: 'Hello Mr. Carter, could you send me a photo of the wound?',
  },
  {
    name: 'Grace Nguyen',
    phone: '+12025550156',
    dob: '1985-06-14',
    hello: 'Hello Ms. Nguyen, your results are here. When can we talk?',
  },
  {
    name: 'Robert Walker',
    phone: '+12025550178',
    dob: '1947-09-02',
    hello: 'Good morning, Mr. Walker. Did you sleep better last night?',
  },
]

/** The person with this number, else the first. */
export const personOf = (phone: string | undefined): Person => people.find(p => p.phone === phone) ?? people[0]

export const nextPerson = (person: Person): Person => people[(people.indexOf(person) + 1) % people.length] ?? people[0]

/** `7 March 1950`, and what goes into the three fields. */
export const birthDay = ({ dob }: Person): { text: string; month: string; day: string; year: string } => {
  const [year = '', month = '', day = ''] = dob.split('-')
  const text = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(Date.parse(dob))
  return { text, month: String(Number(month)), day: String(Number(day)), year }
}

const names: Record<string, string> = { drlee: 'Dr. Lee', nurse_kim: 'Nurse Kim' }

/** How the page calls the clinician whom it plays. */
export const clinicianName = (userId: string): string => {
  const local = userId.slice(1).split(':')[0] ?? ''
  return names[local] ?? local
}
