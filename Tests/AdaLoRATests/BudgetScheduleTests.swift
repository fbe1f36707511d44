import AdaLoRA
import Testing

@Suite("The budget")
struct BudgetScheduleTests {
    private func schedule(_ form: BudgetSchedule.Form = .cubic) throws -> BudgetSchedule {
        try BudgetSchedule(
            initialBudget: 72, targetBudget: 27, initialSteps: 6, finalSteps: 10, interval: 4, totalSteps: 40,
            form: form)
    }

    @Test("falls as PEFT's does")
    func golden() throws {
        // Recorded from PEFT 0.21.2, steps 0 to 30.
        let expected = [
            72, 72, 72, 72, 72, 72, 72, 66, 61, 57, 53, 49, 45, 42, 40, 37, 35, 34, 32, 31, 30, 29, 28, 28, 27, 27, 27,
            27, 27, 27, 27,
        ]
        let schedule = try schedule()
        #expect((0...30).map(schedule.budget) == expected)
        #expect((31..<40).allSatisfy { schedule.budget(at: $0) == 27 })
    }

    @Test("is decided on between the phases, every deltaT steps, and once at their border")
    func decisions() throws {
        let schedule = try schedule()
        #expect((0..<40).filter(schedule.decides) == [8, 12, 16, 20, 24, 28, 30])
        #expect((0..<40).filter(schedule.updatesImportance) == Array(0..<30))
        #expect((0..<40).filter(schedule.isFinal) == Array(31..<40))
    }

    @Test("as printed stays between its ends and never rises")
    func printed() throws {
        let schedule = try schedule(.printed)
        let budgets = (0..<40).map(schedule.budget)
        #expect(budgets.allSatisfy { (27...72).contains($0) })
        #expect(zip(budgets, budgets.dropFirst()).allSatisfy { $0 >= $1 })
        // 1 − (20 − 16)/(40 − 16) = 5/6; 27 + 45·(5/6)³ = 53.04.
        #expect(schedule.budget(at: 20) == 53)
    }

    @Test("that cannot be met is refused with the numbers")
    func impossible() {
        #expect(throws: AdaLoRAError.self) {
            try BudgetSchedule(
                initialBudget: 72, targetBudget: 27, initialSteps: 30, finalSteps: 10, interval: 4, totalSteps: 40)
        }
        #expect(throws: AdaLoRAError.self) {
            try BudgetSchedule(
                initialBudget: 72, targetBudget: 73, initialSteps: 6, finalSteps: 10, interval: 4, totalSteps: 40)
        }
        #expect(throws: AdaLoRAError.self) {
            try BudgetSchedule(
                initialBudget: 72, targetBudget: 27, initialSteps: 6, finalSteps: 10, interval: 0, totalSteps: 40)
        }
    }
}

@Suite("The selection")
struct SelectionTests {
    @Test("keeps exactly the budget when all scores tie, the lower indices first", arguments: [0, 1, 5, 8])
    func ties(budget: Int) {
        for value in [Float(0), 1, .infinity] {
            let selection = Selection(scores: [Float](repeating: value, count: 8), budget: budget)
            #expect(selection.kept == (0..<8).map { $0 < budget })
        }
    }

    @Test("keeps the highest scores, and among equals the lower index")
    func highest() {
        let selection = Selection(scores: [3, 1, 2, 3, 2, 0], budget: 3)
        #expect(selection.kept == [true, false, true, true, false, false])
        #expect(selection.threshold == 2)
    }

    @Test("masks nothing at a budget of all, and everything at a budget of none")
    func ends() {
        #expect(Selection(scores: [1, 2], budget: 2).kept == [true, true])
        #expect(Selection(scores: [1, 2], budget: 5).kept == [true, true])
        #expect(Selection(scores: [1, 2], budget: 0).kept == [false, false])
        #expect(Selection(scores: [], budget: 0).kept == [])
    }

    @Test("ranks a score that is not a number below all others")
    func notANumber() {
        #expect(Selection(scores: [.nan, 0, -1], budget: 2).kept == [false, true, true])
    }

    @Test("agrees with a slow selection on many random scores with ties")
    func oracle() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let count = Int.random(in: 0...40, using: &generator)
            let scores = (0..<count).map { _ in Float(Int.random(in: 0...6, using: &generator)) }
            let budget = Int.random(in: 0...count, using: &generator)
            // Repeatedly take the first of the largest.
            var rest = scores.map { Optional($0) }
            var expected = [Bool](repeating: false, count: count)
            for _ in 0..<budget {
                guard let best = rest.compactMap(\.self).max(), let index = rest.firstIndex(of: best) else { break }
                expected[index] = true
                rest[index] = nil
            }
            #expect(Selection(scores: scores, budget: budget).kept == expected)
        }
    }
}
