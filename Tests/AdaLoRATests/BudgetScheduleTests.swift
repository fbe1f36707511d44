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
