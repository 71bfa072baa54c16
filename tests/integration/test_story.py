"""The demo's story, chapter by chapter, against a whole installation.

Chapters build on each other: what the company earns in one it spends in the next.
"""

from deploy.demo import chapters


class TestStory:
    def test_logging_in(self, players):
        chapters.sign_in(players)

    def test_asking_what_an_activity_earns(self, players):
        chapters.criteria(players)

    def test_a_real_sheet_becomes_mileage_of_university_and_company(self, players):
        chapters.accrual(players)

    def test_mileage_becomes_a_discount_and_moves_to_the_university(self, players):
        chapters.exchange(players)

    def test_a_proposal_is_checked_while_it_is_typed_and_received_once_correct(self, players):
        chapters.grants(players)

    def test_the_books_balance_in_the_end(self, players):
        chapters.books(players)
