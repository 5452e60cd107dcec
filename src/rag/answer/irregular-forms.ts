/** English verbs and nouns whose forms no stemmer brings together, a family to a line. */
const FAMILIES = `
arise arose arisen
awake awoke awoken
become became
begin began begun
bend bent
bind bound
bite bit bitten
bleed bled
blow blew blown
break broke broken
breed bred
bring brought
build built
buy bought
catch caught
child children
choose chose chosen
cling clung
come came
creep crept
deal dealt
dig dug
draw drew drawn
drink drank drunk
drive drove driven
eat ate eaten
fall fell fallen
feed fed
feel felt
fight fought
find found
flee fled
fly flew flown
foot feet
forget forgot forgotten
forgive forgave forgiven
freeze froze frozen
get got gotten
give gave given
go went gone
goose geese
grind ground
grow grew grown
hang hung
hear heard
hide hid hidden
hold held
index indices indexes
keep kept
knife knives
know knew known
lead led
leaf leaves
learn learnt
lend lent
life lives
light lit
lose lost
make made
man men
matrix matrices
mean meant
meet met
mouse mice
pay paid
person people
ride rode ridden
ring rang rung
rise rose risen
run ran
say said
see saw seen
seek sought
sell sold
send sent
shake shook shaken
shelf shelves
shine shone
shoot shot
shrink shrank shrunk
sing sang sung
sink sank sunk
sit sat
sleep slept
slide slid
speak spoke spoken
spell spelt
spend spent
spin spun
stand stood
steal stole stolen
stick stuck
sting stung
strike struck
strive strove striven
swear swore sworn
sweep swept
swim swam swum
swing swung
take took taken
teach taught
tear tore torn
tell told
think thought
throw threw thrown
tooth teeth
understand understood
vertex vertices
wake woke woken
wear wore worn
weave wove woven
weep wept
win won
wind wound
withdraw withdrew withdrawn
woman women
write wrote written
`;

const FORMS: ReadonlyMap<string, readonly string[]> = new Map(
  FAMILIES.trim()
    .split('\n')
    .map((line) => line.split(' '))
    .flatMap((family) => family.map((word) => [word, family.filter((other) => other !== word)] as const)),
);

/** Names the other forms of an irregular English word (`fed`: `feed`), in lower case; none of any other word. */
export function irregularForms(word: string): readonly string[] {
  return FORMS.get(word.toLowerCase()) ?? [];
}
