"""Closed classes of English words, and the open ones that prompts use most, for `english_chunks`. Not a dictionary."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ARTICLES = frozenset({"a", "an", "the"})
POSSESSIVES = frozenset({"its", "their", "his", "her", "my", "our", "your", "whose"})
NUMBERS = _words(
    """both dozen eight eleven few five four many multiple nine seven several six some ten three twelve two various"""
)
DETERMINERS = ARTICLES | POSSESSIVES | NUMBERS | _words("this these those each every another one any no")
POINTERS = ARTICLES | POSSESSIVES | _words("this these those each every another any no")
"""Determiners that are not part of a thing's name."""
RELATIVES = frozenset({"that", "which", "who"})
CONJUNCTIONS = frozenset({"and", "or", "&", "plus"})
CLAUSE_OPENERS = _words("while as when where whereas before after until because so but then if than")
PRONOUNS = _words("""each-other he herself him himself i it itself me she them themselves there they us we you""")
PREPOSITIONS = _words(
    """about above across against along alongside amid amidst among amongst around at atop behind below beneath
    beside between beyond by down during for from in inside into left like near next of off on onto opposite out
    outside over past right through throughout to toward towards under underneath up upon via with within
    without"""
)
PHRASAL_PREPOSITIONS = (
    "in a ring around",
    "in a circle around",
    "in a row below",
    "in a row above",
    "in a row behind",
    "in an arch over",
    "to the left of",
    "to the right of",
    "on the left of",
    "on the right of",
    "on the left side of",
    "on the right side of",
    "in the middle of",
    "in the center of",
    "in the centre of",
    "at the edge of",
    "at the top of",
    "at the bottom of",
    "on top of",
    "in front of",
    "on the back of",
    "side by side with",
    "left of",
    "right of",
    "next to",
    "close to",
    "away from",
    "out of",
    "inside of",
    "outside of",
    "up to",
    "off of",
    "atop of",
    "in between",
    "made of",
    "made from",
    "made out of",
)
AUXILIARIES = _words("""are be been being can could did do does had has have is may might was were will would""")
ADVERBS = _words(
    """again ahead almost aloft also always apart aside away back backward backwards even everywhere face-to-face
    forth forward forwards here high just mid-air midair never not now often once overhead side-by-side still
    then together too twice upright very"""
)
NOT_ADVERBS = _words(
    """ally anomaly apply assembly belly bubbly bully burly butterfly chilly cuddly curly daily deadly dragonfly
    early elderly family firefly fly friendly ghostly gnarly heavenly hilly holly housefly jelly jellyfly lily
    lively lovely oily only potbelly prickly rely scaly silly sparkly trolley ugly underbelly wobbly woolly
    wooly"""
)
"""Words in -ly that are nouns, adjectives or verbs."""

SINGULAR_IN_S = _words(
    """alias atlas bias bus cactus canvas chaos christmas circus compass cosmos crocus cumulus gas hibiscus
    hippopotamus iris lens lotus news nucleus oasis octopus pancreas platypus series species tennis
    venus walrus"""
)
PLURALS = _words("""cacti cattle children dice feet fungi geese men mice oxen people police teeth women""")
WITHOUT_ARTICLE = _words(
    """basketball bread butter candy cheese chess chocolate clay coral dough drums dust fabric fire foam fog food
    fruit furniture glass gold graffiti grass guitar hair honey ice jam juice lava leather light milk mist
    moonlight mud music paint pasta popcorn rain rice sand silver smoke snow soccer soup spaghetti stardust
    starlight steam stone sunlight sunscreen sushi tea tennis water wax wood wool yarn"""
)
"""Words for stuff and games, which take no article."""

NOT_ING_FORMS = _words(
    """awning bling bring ceiling cling clothing duckling dumpling earring evening fling gosling hatchling icing
    king lightning morning ping pudding railing ring sapling seedling sibling sling spring sting stocking
    string swing thing wedding wing wring"""
)
NOUNS_OR_VERBS_IN_ING = _words("building painting drawing clearing carving crossing landing opening setting")
NOUNS_IN_ED = _words("""bed breed creed feed flowerbed need red reed seabed seed shed sled speed steed weed""")
PARTICIPLES = _words(
    """bent blown bound broken built carved caught drawn drew driven dug fed flew flown frozen grown held hidden
    hung interwoven laid lain leapt led lit made ran ridden rode sang sat set sewn shaken spread spun stood
    strung swam swept threw thrown torn worn wove woven written"""
)
VERBS = _words(
    """admire aim approach argue arrange assemble attack attempt attend bake balance bask bathe battle beat bend
    bite blend bloom blow bob bounce bound bow braid brew bring brush build bump burst bury buzz camp capture
    caress carry carve cascade cast catch celebrate challenge charge chase chat cheer chew chirp chop circle
    clap clash clean climb cling coil collaborate collect collide combine compete compose concoct cook cool
    count cover cower cradle craft crash crawl create creep cross crouch cruise cuddle curl cut dance dangle
    dart dash decorate deliver dig dine direct discover display dive dodge dominate drag drape draw drift drill
    drink drive drop drum duel eat emerge engage engrave enjoy erupt examine exchange explore face fall fan feed
    fetch fight fill fish flank flap flash flee flip float flow flutter fly focus fold follow forage form fumble
    gallop gather gaze gesture gleam glide glow glue grab grasp graze greet grill grip groom grow guard guide
    hammer hang harmonize harvest help hide hike hit hold hop hover howl huddle hug hunt imitate inspect
    intertwine investigate join juggle jump kick kiss knead kneel knit knock land laugh launch lay lead lean
    leap learn lick lie lift light lock lounge lower lunge make march massage measure meditate meet merge mimic
    mix mold mop mount move munch nap navigate nestle nibble nod nudge nuzzle observe offer open orbit order
    pack paddle paint parade parry pass paw peck pedal peek peel peer perch perform pet photograph pick pin
    pitch place plant play plunge point poke polish pollinate pose pounce pour practice prance preen prepare
    present press prowl pull punch push race raise reach read reflect rehearse relax release represent rescue
    resemble rest ride rise roam roar roast roll row rub rummage run sail salute savor scale scamper scan
    scatter scratch sculpt scurry search see serve sew shake shape share sharpen shimmer shine shoot shovel show
    shuffle sing sip sit skate sketch ski skip slap slash sleep slice slide slither smash smell smile snap sneak
    sniff snooze snuggle soar spar sparkle spin spiral splash spread sprinkle sprint spy squabble squeeze stack
    stalk stamp stand stare stick stir stomp stretch stride strike string stroll struggle strum strut study surf
    surround survey swap sway sweep swim swing swirl swoop tackle talk tangle tango tap taste teach team tear
    tease tend throw tie tilt tinker toast toss touch tow toy transform travel trek trot try tug tumble turn
    twirl twist type unfold unfurl use view visit walk waltz wander wash watch water wave wear weave whisper
    whistle wield wink work wrap wrestle write"""
)
MODIFIERS = _words(
    """ancient beige big bioluminescent black blue bright brown closed colorful colourful crimson curly dark
    empty enormous feathered fluffy full furry giant gigantic glittering glowing golden gray green grey
    hexagonal huge indigo iridescent ivory large leather little long magenta massive metal metallic mini
    miniature muddy multicolored narrow old open orange oval pale paper pink plastic polished purple red round
    rusty saffron scarlet shimmering shiny short silver silvery small smiling snowy sparkling spiky spotted
    striped tall teal thick thin tiny towering translucent transparent triangular turquoise vibrant
    violet wet white wide wooden woolen yellow young"""
)
"""Words for what can be seen of a thing: they become its attributes."""

NOT_THINGS = _words(
    """afternoon agility attempt back care center centre day delight determination display ease effort enthusiasm
    expression fashion focus form front grace harmony joy kind left manner middle movement movements pace
    precision process rhythm right scene shape side skill sort style surprise time top way"""
)
"""Heads of phrases that name nothing to point at; alone "top" and the sides are also left out by T2I-CompBench."""
