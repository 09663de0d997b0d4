"""What marketing can do for each RFM segment: one suggestion each."""

ACTIONS = {
    "Champions": "Thank them: early access to new titles, and ask for reviews. No discounts needed.",
    "Loyal Customers": "Offer a membership, and the next volume by the authors they follow.",
    "Potential Loyalists": "Recommend from a second genre, and reward the next order.",
    "New Customers": "Send a welcome series that helps them to choose the next book within a month.",
    "Promising": "Give a small reason for the second order, such as free shipping.",
    "Need Attention": "Make a time-limited offer in their favourite genre now.",
    "About To Sleep": "Remind them with new releases by authors they have bought.",
    "At Risk": "Write personally with a strong offer, and ask what went wrong.",
    "Can't Lose Them": "Win them back in person: call, listen, offer something that no one else gets.",
    "Hibernating": "Try one inexpensive reminder, then spend the budget elsewhere.",
}
"""By the names of `transforms.rfm.SEGMENTS`."""
