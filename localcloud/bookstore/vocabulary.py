"""The names of made-up people, places and books."""

FIRST_NAMES = (
    "Ada", "Amélie", "Anna", "Bas", "Björn", "Chiara", "Clara", "Daan", "David", "Elena", "Emil", "Emma", "Eva",
    "Félix", "Fleur", "Giulia", "Hanna", "Hugo", "Ines", "Jakub", "Jan", "João", "Jonas", "Julia", "Kasia",
    "Lars", "Lea", "Léo", "Lina", "Louis", "Luca", "Łukasz", "Maja", "Marie", "Marta", "Mateo", "Mia", "Milan",
    "Nina", "Nora", "Oskar", "Paul", "Pia", "Rosa", "Sara", "Siân", "Sofia", "Theo", "Tomáš", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Andersen", "Bakker", "Bauer", "Bernard", "Bianchi", "Costa", "de Vries", "Dubois", "Fernández", "Fischer",
    "Garcia", "Horváth", "Jansen", "Jensen", "Keller", "Kowalski", "Larsen", "Lefèvre", "Lindberg", "Martin",
    "Meyer", "Müller", "Novák", "Nowak", "O'Brien", "Olsen", "Pereira", "Petit", "Ricci", "Rossi", "Roux",
    "Santos", "Schmidt", "Silva", "Smit", "Svensson", "Visser", "Wagner", "Weber", "Zimmermann",
)  # fmt: skip
CITIES = (
    ("Amsterdam", "NL"), ("Antwerp", "BE"), ("Barcelona", "ES"), ("Berlin", "DE"), ("Bologna", "IT"), ("Brno", "CZ"),
    ("Brussels", "BE"), ("Copenhagen", "DK"), ("Dublin", "IE"), ("Ghent", "BE"), ("Graz", "AT"), ("Hamburg", "DE"),
    ("Köln", "DE"), ("Kraków", "PL"), ("Lille", "FR"), ("Lisbon", "PT"), ("Lyon", "FR"), ("Madrid", "ES"),
    ("Milan", "IT"), ("Munich", "DE"), ("Nantes", "FR"), ("Paris", "FR"), ("Porto", "PT"), ("Prague", "CZ"),
    ("Rotterdam", "NL"), ("Stockholm", "SE"), ("Turin", "IT"), ("Utrecht", "NL"), ("Vienna", "AT"), ("Warsaw", "PL"),
)  # fmt: skip

GENRES = (
    "Crime", "Fantasy", "Literary Fiction", "Science Fiction", "Romance", "History", "Biography", "Children",
    "Popular Science", "Poetry",
)  # fmt: skip
PUBLISHERS = (
    "Alder & Sons", "Blue Lantern", "Cartographer", "Dovetail Press", "Evergreen House", "Fjord Books", "Gallery Lane",
    "Harbour Editions", "Inkwell", "Juniper Row",
)  # fmt: skip
TITLE_STARTS = (
    "The Silent", "A Borrowed", "The Last", "Beyond the", "The Glass", "An Honest", "The Winter", "Letters from a",
    "The Hidden", "A Field Guide to the", "The Cartographer's", "Return to the", "The Second", "Notes on a", "The Salt",
    "Under the", "The Clockmaker's", "A Short History of the", "The Paper", "Songs of the",
)  # fmt: skip
TITLE_ENDS = (
    "Harbour", "Orchard", "Island", "Library", "Winter", "Sea", "Garden", "House", "River", "Season", "Stranger", "Map",
    "Mountain", "Daughter", "Lighthouse", "Crow", "Forest", "Room", "Voyage", "Tide", "Kingdom", "Promise", "Machine",
    "Star", "City",
)  # fmt: skip
